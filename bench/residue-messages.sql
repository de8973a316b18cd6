-- A million rows of text as products have them: sentences in several scripts, in every fourth a mail, in every
-- seventh a phone number, in every eleventh a uuid, in all of them a hash. 230 bytes on average.
-- Each of the 100 people who are sought (every fiftieth of 5,000) is left in five of the rows.
create schema bench_residue;
create table bench_residue.messages (id bigint primary key, body text not null);
insert into bench_residue.messages
select n,
       (array['Please send the offer for the kitchen to ', 'Заказ готов, письмо ушло на ', 'ご確認ください。宛先は ',
              'The parcel is for ', 'Merci de répondre à '])[1 + n % 5]
       || case when n % 2000 = 0 then 'Person' || (n / 2000 % 100) * 50 || '@Mail' || n / 2000 % 100 % 20 || '.example'
               when n % 4 = 0 then 'person' || (n % 4999 / 50 * 50 + 1 + n % 49) || '@mail' || n % 20 || '.example'
               else 'the team on the second floor' end
       || ', and call ' || case when n % 7 = 0 then '+49 30 ' || 2000000 + n % 900000 else 'tomorrow morning around nine' end
       || ' about order ' || md5(n::text)
       || case when n % 11 = 0 then ' see ' || md5('x' || n)::uuid else ' — thanks, it was a pleasure' end
       || E'\n' || repeat('lorem ipsum dolor sit amet ', (n % 5)::int)
  from generate_series(1, 1000000) as n;
grant usage on schema bench_residue to habeas_host;
grant select on bench_residue.messages to habeas_host;
vacuum (analyze, freeze) bench_residue.messages;
checkpoint;
