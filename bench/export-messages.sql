-- Messages as a host app keeps them: a body sealed with libsodium secretbox (60 to 220 bytes of ciphertext,
-- which bytea's hex doubles), its nonce, and plain columns around it: about 500 bytes of JSON a row.
-- Person 1 wrote 1,000,000, person 2 wrote 4,000,000.
drop schema if exists bench_export cascade;
create schema bench_export;
create table bench_export.messages (
  author_id integer not null,
  id bigint not null,
  room_id uuid not null,
  sent_at timestamptz not null,
  language text not null,
  nonce bytea not null,
  body bytea not null,
  edited_at timestamptz
);
insert into bench_export.messages
select author,
       n,
       md5((n % 300)::text)::uuid,
       timestamptz '2024-01-01' + n * interval '11 seconds',
       (array['en', 'fr', 'ar', 'ja'])[1 + n % 4],
       substr(sha256(('nonce' || n)::bytea), 1, 24),
       substr(sha256(n::text::bytea) || sha256(('a' || n)::bytea) || sha256(('b' || n)::bytea) || sha256(('c' || n)::bytea)
           || sha256(('d' || n)::bytea) || sha256(('e' || n)::bytea) || sha256(('f' || n)::bytea), 1, (60 + n * 7919 % 160)::int),
       case when n % 10 = 0 then timestamptz '2024-02-01' + n * interval '11 seconds' end
from (values (1, 1000000), (2, 4000000)) as person(author, messages), generate_series(1, messages::bigint) as n;
alter table bench_export.messages add primary key (author_id, id);
vacuum (analyze, freeze) bench_export.messages;
