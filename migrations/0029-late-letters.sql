-- How late letters are: a mailbox that takes nothing for now is not ours to mend; whatever else keeps a letter from leaving is.
drop index habeas.outbox_waiting;
create index outbox_waiting on habeas.outbox (created_at) where status = 'pending' and failure <> 'mail.deferred';
grant select (failure) on habeas.outbox to habeas_sweep;   -- a code
