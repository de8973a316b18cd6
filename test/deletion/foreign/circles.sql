-- Keys that lead in circles: two tables that need each other and cannot wait, a tree, a deferred pair, a table whose
-- rows become tombstones, a view, and partitions.
create schema circles;
create table circles.person (id int primary key, mail text not null);
create table circles.team (id int primary key, person int not null references circles.person, lead int not null);
create table circles.seat (
  id int primary key,
  person int not null references circles.person,
  team int not null references circles.team
);
alter table circles.team add constraint team_lead foreign key (lead) references circles.seat deferrable initially deferred;
create table circles.late (
  id int primary key, person int not null references circles.person, next int not null,
  constraint late_next foreign key (next) references circles.late deferrable initially deferred
);
create table circles.branch (
  id int primary key,
  person int references circles.person,
  parent int references circles.branch
);
create index on circles.branch (parent);
create table circles.account (
  no int primary key,
  person int references circles.person,
  holder text,
  secret text
);
create table circles.entry (person int references circles.person, at date not null, line text, primary key (at, line)) partition by range (at);
create table circles.entry_a partition of circles.entry for values from ('2025-01-01') to ('2026-01-01');
create table circles.entry_b partition of circles.entry for values from ('2026-01-01') to ('2027-01-01');
create table circles.secret_note (id int primary key, person int references circles.person, line text);
create view circles.note as select id, person, line from circles.secret_note;
create table circles.hidden_step (person int references circles.person, room int primary key);
create table circles.room_paper (id int primary key, room int not null references circles.hidden_step);

insert into circles.person values (1, 'one@x.example'), (2, 'two@x.example');
begin;
insert into circles.team values (1, 1, 11), (2, 2, 22);
insert into circles.seat values (11, 1, 1), (22, 2, 2);
insert into circles.late values (1, 1, 2), (2, 1, 1), (3, 2, 3);
commit;
insert into circles.branch select n, 1, nullif(n - 1, 0) from generate_series(1, 30) n;
insert into circles.branch values (100, 2, null), (101, 2, 100), (200, 1, null), (201, 1, 200);
update circles.branch set parent = 201 where id = 200;
insert into circles.account values (1, 1, 'One', 'x'), (2, 2, 'Two', 'y'), (3, 1, null, null);
insert into circles.entry values (1, '2025-05-05', 'a'), (1, '2026-05-05', 'a'), (2, '2025-05-05', 'b'), (2, '2026-05-05', 'b');
insert into circles.secret_note values (1, 1, 'of one'), (2, 2, 'of two');
insert into circles.hidden_step values (1, 1), (2, 2);
insert into circles.room_paper values (1, 1), (2, 2);
