-- Names and types that trip over generated SQL: dots, quotes and the very aliases that the queries use; keys that
-- are enums, domains and beyond 2^53; workspaces with text keys; every type that JSON has no word for.
create schema odd;
create type odd.tier as enum ('free', 'paid');
create domain odd.mail_address as varchar(200) check (value like '%@%');
create domain odd.work_mail as odd.mail_address;
create type odd.address as (street text, extra json);
create table odd.tenant (slug text primary key, name text, boss odd.work_mail);
create table odd.person (
  code odd.tier,
  no bigint,
  mail odd.work_mail not null,
  "we""ird 'col\n" text,
  primary key (code, no)
);
create table odd."a.b" (
  id uuid primary key,
  t text references odd.tenant,
  r odd.tier,
  e bigint,
  v odd.address, s odd.address[], j json, w json[],
  b bytea, n numeric, f float8, "at" timestamptz, local timestamp, "interval" interval, m money, x xml,
  made text generated always as ('x') stored,
  big bigint,
  tags odd.tier[],
  foreign key (r, e) references odd.person
);
insert into odd.tenant values ('T/1', 'One', 'b@x.y');
insert into odd.person values ('free', 9007199254740993, 'B@x.y', 'odd'), ('paid', 9007199254740993, 'c@x.y', null);
insert into odd."a.b" values (
  '0190F3A0-0000-7000-8000-000000000001', 'T/1', 'free', 9007199254740993,
  row('s', E'{"a":\n1}'), array[row('q', E'[1,\n2]')::odd.address], E'{"a"\n:\r1}', array[E'[1,\n2]'::json],
  '\x0001ff', 'NaN', 'Infinity', '2026-01-01 12:00+02', '2020-01-01', '1 day 2 hours', 12.5, E'<a>\n</a>',
  default, 9007199254740993, '{free,paid}'
);
