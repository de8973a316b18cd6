-- Whether an acknowledgement is nearly late is a matter of the request's own zone, and the sweep asks.
grant select (acknowledge_by, zone) on habeas.requests to habeas_sweep;
