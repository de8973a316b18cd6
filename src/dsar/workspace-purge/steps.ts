import { HostData } from './host-data.js';
import { Remembering } from './remembering.js';
import { PurgeEnd } from './end.js';
import { Forgetting } from './forgetting.js';
import { PeopleLeft } from './people.js';
import { PointOfNoReturn } from './no-return.js';
import { type PurgeStep } from './purge-step.js';
import { PurgedLog } from './purged-log.js';
import { Recount } from './recount.js';

/** What becomes of a workspace once its grace is over, in its order. */
export const steps = [
  HostData,
  PointOfNoReturn,
  Forgetting,
  Recount,
  PeopleLeft,
  PurgedLog,
  Remembering,
  PurgeEnd,
] as const;

export const PURGE_STEPS = Symbol('PURGE_STEPS');

/** The steps themselves, in that order. */
export const purgeSteps = {
  provide: PURGE_STEPS,
  inject: [...steps],
  useFactory: (...inOrder: PurgeStep[]) => inOrder,
};
