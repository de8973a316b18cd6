import { type AuditLog } from '../audit/events.js';
import { type Clock } from '../clock.js';
import { type CallContext, type Tenancy } from '../database/tenancy.js';
import { type Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError } from '../errors.js';
import { type PresentedToken, readToken } from '../keys/tokens.js';
import { type ObjectStore } from '../storage/object-store.js';
import { type Link, type Package, type Packages } from './packages.js';

/** How long the address lives that a download is sent on to. */
const ADDRESS_SECONDS = 300;

type Verdict = { ok: true; link: Link; package: Package } | { ok: false; error: DomainError };

/** What holders of a link may do: see what it is, and fetch it. Every download and every refused try is an event. */
export class Downloads {
  constructor(
    private readonly database: Database,
    private readonly packages: Packages,
    private readonly store: ObjectStore,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** What would be downloaded; burns nothing, because mail scanners open every link. @throws DomainError `link.*` */
  async look(token: string): Promise<{ package: Package; expiresAt: Date }> {
    const presented = presentedOr404(token);
    return this.database.within(tenancyOf(presented, {}), async (tx) => {
      const verdict = await this.judge(tx, presented);
      if (!verdict.ok) throw verdict.error;
      return { package: verdict.package, expiresAt: verdict.link.expiresAt };
    });
  }

  /** Records the download and answers an address for it. @throws DomainError `link.*`, which is recorded too */
  async fetch(token: string, context: CallContext): Promise<string> {
    const presented = presentedOr404(token);
    const tenancy = tenancyOf(presented, context);
    const first = await this.database.within(tenancy, (tx) => this.judge(tx, presented));
    // Asked for before anything is recorded: a storage that does not answer has let nobody download.
    const address = first.ok && (await this.addressOf(first.package));
    const verdict = await this.database.within(tenancy, (tx) => this.recordTry(tx, presented));
    // Thrown only here, so that the event of the refused try is committed.
    if (!verdict.ok) throw verdict.error;
    return address || this.addressOf(verdict.package);
  }

  private addressOf({ path, jobId }: Package): Promise<string> {
    const downloadAs = `data-package-${jobId.slice(0, 8)}.zip`;
    return this.store.signedUrl(path, { expiresInSeconds: ADDRESS_SECONDS, downloadAs });
  }

  private async recordTry(tx: UnitOfWork, presented: PresentedToken): Promise<Verdict> {
    const verdict = await this.judge(tx, presented);
    const found = await this.packages.byToken(tx, presented);
    if (!found) return verdict; // nobody's link: there is no log that it belongs in
    const targets = [
      { type: 'package', id: found.package.id },
      { type: 'link', id: found.link.id },
      { type: 'request', id: found.package.jobId },
    ];
    if (verdict.ok) {
      await this.packages.countDownload(tx, found.link.id);
      await this.audit.record(tx, 'package.downloaded', { targets });
    } else {
      await this.audit.record(tx, 'package.download_refused', {
        targets,
        outcome: 'denied',
        metadata: { code: verdict.error.code },
      });
    }
    return verdict;
  }

  private async judge(tx: UnitOfWork, presented: PresentedToken): Promise<Verdict> {
    const refuse = (code: `link.${string}`, message: string): Verdict => ({
      ok: false,
      error: new DomainError(code, message),
    });
    const found = await this.packages.byToken(tx, presented);
    if (!found) return refuse('link.not_found', 'This link is not one of ours.');
    const { link, package: its } = found;
    if (link.revokedAt) return refuse('link.revoked', 'This link was withdrawn. Ask for a new one.');
    if (link.expiresAt <= this.clock.now() || its.status !== 'ready') {
      return refuse('link.expired', 'This link has ended. Ask for a new one.');
    }
    return { ok: true, ...found };
  }
}

const tenancyOf = ({ tenant }: PresentedToken, context: CallContext): Tenancy => ({
  tenant,
  actor: { type: 'link', id: 'package-link' },
  context,
});

function presentedOr404(token: string): PresentedToken {
  const presented = readToken(token);
  if (!presented) throw new DomainError('link.not_found', 'This link is not one of ours.');
  return presented;
}
