import { DateTime, Duration } from 'luxon';
import { type Config } from '../../config.js';
import { dateIn } from './calendar.js';
import { decisionsCloseOn } from './legal-clock.js';
import { type Request } from '../request.js';

type Dated = Pick<Request, 'dueOn' | 'zone'>;

/** The first moment of `dueOn − DUE_MARGIN`: what only delays a request ends there. undefined: it is never due. */
export function delaysEndAt({ dueOn, zone }: Dated, { dueMargin }: Pick<Config, 'dueMargin'>) {
  return dueOn === null
    ? undefined
    : DateTime.fromISO(decisionsCloseOn(dueOn, dueMargin), { zone }).toJSDate();
}

/** Whether cooling-off, access lock and undecided approvals have to give way: the law's date is near. */
export const delaysEnded = (request: Dated, now: Date, { dueMargin }: Pick<Config, 'dueMargin'>): boolean =>
  request.dueOn !== null && dateIn(request.zone, now) >= decisionsCloseOn(request.dueOn, dueMargin);

/** When a deletion proven at `now` may begin: after its cooling-off, and never later than delays end. */
export function runAfterOf(
  request: Dated & Pick<Request, 'coolingOff'>,
  now: Date,
  config: Pick<Config, 'coolingOff' | 'dueMargin'>,
): Date {
  const wait = request.coolingOff === null ? config.coolingOff : Duration.fromISO(request.coolingOff);
  const cooled = DateTime.fromJSDate(now, { zone: 'utc' }).plus(wait).toJSDate();
  const latest = delaysEndAt(request, config);
  if (latest === undefined || cooled <= latest) return cooled;
  return latest > now ? latest : now;
}
