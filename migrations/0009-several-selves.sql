-- One human may be several subjects of the map: a member who is somebody's customer as well. What they read of
-- themselves is read in one statement, so that an event about two of their subjects is one row.
-- The setting holds a JSON array of [kind, key]. Kinds and keys apart serve the indexes, the pairs are what counts.

create function habeas.self_kinds() returns text[]
  language sql stable parallel safe
  return array(select s.item ->> 0 from jsonb_array_elements(nullif(current_setting('habeas.selves', true), '')::jsonb) as s(item));

create function habeas.self_keys() returns text[]
  language sql stable parallel safe
  return array(select s.item ->> 1 from jsonb_array_elements(nullif(current_setting('habeas.selves', true), '')::jsonb) as s(item));

create function habeas.selves() returns text[]
  language sql stable parallel safe
  return array(select s.item::text from jsonb_array_elements(nullif(current_setting('habeas.selves', true), '')::jsonb) as s(item));

alter policy self on habeas.pseudonyms
  using (subject_kind = any ((select habeas.self_kinds())::text[]) and subject_key = any ((select habeas.self_keys())::text[])
         and jsonb_build_array(subject_kind, subject_key)::text = any ((select habeas.selves())::text[]));

alter policy self on habeas.request_subjects
  using (kind = any ((select habeas.self_kinds())::text[]) and key = any ((select habeas.self_keys())::text[])
         and jsonb_build_array(kind, key)::text = any ((select habeas.selves())::text[]));

alter policy self on habeas.auditors
  using (subject_kind = any ((select habeas.self_kinds())::text[]) and subject_key = any ((select habeas.self_keys())::text[])
         and jsonb_build_array(subject_kind, subject_key)::text = any ((select habeas.selves())::text[]));

drop function habeas.self_kind();
drop function habeas.self_key();
