import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { HOST_TENANT } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type Collection } from '../../datamap/map.js';
import { sweepable } from '../../datamap/sweepable.js';
import { type ControllerProfile } from '../../datamap/schema.js';
import { RetentionRules } from '../../deletion/retention/rules.js';
import { type LegalInformation } from '../../export/manifest.js';
import { Controllers } from '../letters/controllers.js';
import { isLawId } from '../law/laws.js';
import { type Matter, type Processing } from '../law/legal-text.js';
import { isAssumed } from '../law/jurisdiction.js';
import { legalTexts } from '../law/legal-texts.js';
import { type Part } from '../parts.js';
import { type Request } from '../request.js';

interface Told {
  who: 'host' | 'workspace';
  workspaceId?: string;
  profile: ControllerProfile;
  rules: RetentionRules;
}

/**
 * The legal information of a package (GDPR Art. 15(1)–(2)), once per controller: the host for what it decides
 * about, and each workspace whose part is in, with the time that each has set for what it keeps.
 */
@Injectable()
export class LegalNotice {
  constructor(
    private readonly controllers: Controllers,
    private readonly clock: Clock,
  ) {}

  /** @returns what words it, once the collections are known that the package really holds */
  async of(
    tx: UnitOfWork,
    request: Request,
    parts: readonly Part[],
  ): Promise<(collections: readonly Collection[]) => LegalInformation[]> {
    const told = [await tx.inTenant(HOST_TENANT, () => this.told(tx, 'host'))];
    for (const { tenant } of parts.filter((part) => part.tenant !== HOST_TENANT))
      told.push({ ...(await tx.inTenant(tenant, () => this.told(tx, 'workspace'))), workspaceId: tenant });
    return (collections) =>
      told.flatMap(({ who, workspaceId, profile, rules }) => {
        const decided = collections.filter(({ controller }) => controller === who);
        if (decided.length === 0) return [];
        const items = legalTexts(request.language).information(
          matterOf(request, profile),
          decided.map((collection) => processingOf(collection, request, rules)),
        );
        return [{ controller: profile, ...(workspaceId !== undefined && { workspaceId }), items }];
      });
  }

  private async told(tx: UnitOfWork, who: Told['who']): Promise<Told> {
    const profile = await this.controllers.of(tx, who === 'host' ? 'account' : 'workspace');
    return { who, profile, rules: await RetentionRules.of(tx, this.clock.now()) };
  }
}

/** What a legal text is about: who answers, and under which law. */
export const matterOf = (request: Request, controller: ControllerProfile): Matter => ({
  controller,
  law: request.law !== null && isLawId(request.law) ? request.law : 'contract',
  jurisdiction: request.jurisdiction,
  assumed: isAssumed(request.clock),
  kind: request.kind,
});

const processingOf = (collection: Collection, { scope }: Request, rules: RetentionRules): Processing => ({
  title: scope === 'workspace' ? collection.workspaceTitle : collection.title,
  purpose: collection.purpose,
  legalBasis: collection.legalBasis,
  categories: [...new Set(Object.values(collection.columns).map(({ category }) => category))],
  recipients: collection.recipients,
  retention: retentionOf(collection, rules),
});

/** Art. 15(1)(d): what is in force for this workspace, whatever the map proposes. */
function retentionOf(collection: Collection, rules: RetentionRules): Collection['retention'] {
  const rule = sweepable(collection);
  if (!rule || typeof collection.retention === 'string') return collection.retention;
  const { keep, source } = rules.of(rule);
  // The map's note is about its own default.
  return source === 'workspace' ? { ...collection.retention, keep, note: undefined } : collection.retention;
}
