import { z } from 'zod';
import { Line } from '../http/free-text.js';
import { regionIds } from './regions.js';

const Moment = z.iso.datetime({ offset: true });

export const Region = z.object({
  id: z.enum(regionIds),
  name: z.string(),
  place: z.string(),
  default: z.boolean(),
  defaultJurisdiction: z.string(),
  legalContext: z.array(
    z.object({ law: z.string(), note: z.string(), source: z.string(), verified: z.boolean() }),
  ),
  certificationNotes: z.array(z.string()),
  modelProvider: z.object({ region: z.string(), inRegion: z.boolean(), note: z.string() }),
});
export const Regions = z.object({ items: z.array(Region) });

export const Placement = z.object({
  region: Region,
  chosen: z.boolean(),
  chosenAt: Moment.nullable(),
  placement: z.literal('logical'),
  explanation: z.string(),
});

export const Choice = z.strictObject({ region: z.enum(regionIds) });
export type Choice = z.infer<typeof Choice>;

// Shown in mails and legal texts: one line, so that nothing can be made to look like ours.
const Shown = Line(300);

/** PUT replaces: what is left out goes back to its default. */
export const Profile = z.strictObject({
  name: Shown.nullable().default(null),
  contact: Shown.nullable().default(null),
  dpo: Shown.nullable().default(null),
  authority: Shown.nullable().default(null),
  establishment: z
    .string()
    .regex(/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/, 'must be a code of ISO 3166 such as DE or US-CA')
    .nullable()
    .default(null),
  approvals: z.enum(['auto', 'approve']).default('auto'),
  adminMayDownload: z.boolean().default(false),
});
export type Profile = z.infer<typeof Profile>;
