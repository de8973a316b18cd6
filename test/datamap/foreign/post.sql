-- A newsletter without tenants and without accounts: people are a mail somewhere. Json and array paths,
-- a table that refers to itself, two tables that refer to each other, text keys, two people in one row.
create schema post;
create table post.subscription (
  "Mail" text primary key,
  phone text,
  since date not null
);
create table post.letter (
  slug text primary key,
  latest_revision bigint,
  title text not null
);
create table post.revision (
  id bigint generated always as identity primary key,
  letter text not null references post.letter deferrable initially deferred,
  editor_mail text,
  body text
);
alter table post.letter add foreign key (latest_revision) references post.revision deferrable initially deferred;
create table post.comment (
  id integer primary key,
  parent_id integer references post.comment on delete set null,
  letter text not null references post.letter,
  author_mail text not null,
  reply_to_mail text,
  cc text[],
  body text not null
);
create table post.bounce (
  id bigint primary key,
  report json not null,
  meta jsonb
);
create table post.thread (
  key text primary key,
  participants text[] not null
);
create table post.note_without_key (mail text, note text);
create table post.template (name text primary key, html text);

insert into post.subscription values ('Eva@Example.org', '+49 30 123', '2024-01-01'), ('adam@example.org', null, '2024-01-02');
insert into post.letter values ('b-letter', null, 'B'), ('A-letter', null, 'A');
insert into post.revision (letter, editor_mail, body) values ('b-letter', 'eva@example.org', 'one'), ('A-letter', 'ADAM@example.org', 'two');
update post.letter set latest_revision = 1 where slug = 'b-letter';
insert into post.comment values
  (1, null, 'b-letter', 'EVA@example.org', 'adam@example.org', '{adam@example.org,Eva@example.org}', 'Hi "A" \ 😀'),
  (2, 1, 'b-letter', 'adam@example.org', 'eva@example.org', null, 'Hi E'),
  (3, 2, 'A-letter', 'adam@example.org', null, '{}', 'alone');
insert into post.bounce values
  (1, E'{"to": "Eva@example.org",\r\n\n "code": 550, "say": "a\\nb"}', '{"recipients": [{"mail": "EVA@example.org"}, {"mail": "x@y.z"}]}'),
  (2, '{"to": "adam@example.org"}', '{"recipients": [{"mail": "eva@EXAMPLE.org"}]}'),
  (3, '{"to": "adam@example.org"}', null);
insert into post.thread values ('zeta', '{eva@example.org,adam@example.org}'), ('Alpha', '{" Eva@example.org "}'), ('beta', '{adam@example.org}');
insert into post.note_without_key values ('eva@example.org', 'b'), ('eva@example.org', 'a'), ('adam@example.org', 'c');
