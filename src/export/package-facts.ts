import { z } from 'zod';
import { type Manifest } from './manifest.js';
import { type Package } from './packages.js';

/** What a link says before anything is downloaded: what it is and how much, never what it says. */
export const PackageFacts = z
  .object({
    requestId: z.uuid(),
    scope: z.enum(['account', 'person', 'workspace']),
    workspaceId: z.guid().optional(),
    controllers: z
      .array(z.string())
      .describe('Who decides about the data that is in it, by name; first whoever answers the request'),
    region: z.object({ id: z.string(), name: z.string() }).nullable(),
    builtAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    bytes: z.number().int(),
    contents: z.array(z.object({ collection: z.string(), title: z.string(), rows: z.number().int() })),
    sealedValues: z.number().int(),
    missingFiles: z.number().int(),
    leftOut: z.array(
      z.object({
        workspaceId: z.guid(),
        name: z.string().optional(),
        reason: z.enum(['refused', 'not_decided_in_time']),
      }),
    ),
  })
  .meta({ id: 'PackageFacts' });
export type PackageFacts = z.infer<typeof PackageFacts>;

/** The facts of a ready package; `expiresAt` is the link's. */
export function factsOf({ package: its, expiresAt }: { package: Package; expiresAt: Date }): PackageFacts {
  const { manifest, bytes, readyAt } = its;
  if (!manifest || bytes === null || readyAt === null) throw new Error('a ready package has no manifest');
  return {
    requestId: its.jobId,
    scope: manifest.scope,
    ...(manifest.workspaceId && { workspaceId: manifest.workspaceId }),
    controllers: controllersOf(manifest),
    region: manifest.region,
    builtAt: readyAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    bytes,
    contents: manifest.data.map(({ collection, title, rows }) => ({ collection, title, rows })),
    sealedValues: manifest.sealedValues,
    missingFiles: manifest.missingFiles.length,
    leftOut: manifest.leftOut,
  };
}

/** The host answers for an account, a workspace for what was asked of it: the name that the mail with the link comes from. */
function controllersOf({ legalInformation, workspaceId }: Manifest): string[] {
  const answering = legalInformation.filter((its) => its.workspaceId === workspaceId);
  return [...new Set([...answering, ...legalInformation].map(({ controller }) => controller.name))];
}
