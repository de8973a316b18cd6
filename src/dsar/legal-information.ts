import { HOST_TENANT } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type Collection } from '../datamap/map.js';
import { type ControllerProfile } from '../datamap/schema.js';
import { type LegalInformation } from '../export/manifest.js';
import { type Controllers } from './controllers.js';
import { isLawId } from './law/laws.js';
import { type Matter, type Processing } from './law/legal-text.js';
import { legalTexts } from './law/legal-texts.js';
import { type Part } from './parts.js';
import { type Request } from './request.js';

/**
 * The legal information of a package (GDPR Art. 15(1)–(2)), once per controller: the host for what it decides
 * about, and each workspace whose part is in.
 * @returns what words it, once the collections are known that the package really holds
 */
export async function legalInformation(
  tx: UnitOfWork,
  controllers: Controllers,
  request: Request,
  parts: readonly Part[],
): Promise<(collections: readonly Collection[]) => LegalInformation[]> {
  const told: { who: 'host' | 'workspace'; workspaceId?: string; profile: ControllerProfile }[] = [];
  told.push({ who: 'host', profile: await controllers.of(tx, 'account') });
  for (const { tenant } of parts.filter((part) => part.tenant !== HOST_TENANT)) {
    const profile = await tx.inTenant(tenant, () => controllers.of(tx, 'workspace'));
    told.push({ who: 'workspace', workspaceId: tenant, profile });
  }
  return (collections) =>
    told.flatMap(({ who, workspaceId, profile }) => {
      const decided = collections.filter(({ controller }) => controller === who);
      if (decided.length === 0) return [];
      const items = legalTexts(request.language).information(
        matterOf(request, profile),
        decided.map(processingOf),
      );
      return [{ controller: profile, ...(workspaceId !== undefined && { workspaceId }), items }];
    });
}

/** What a legal text is about: who answers, and under which law. */
export const matterOf = (request: Request, controller: ControllerProfile): Matter => ({
  controller,
  law: request.law !== null && isLawId(request.law) ? request.law : 'contract',
  jurisdiction: request.jurisdiction,
  kind: request.kind,
});

const processingOf = (collection: Collection): Processing => ({
  title: collection.title,
  purpose: collection.purpose,
  legalBasis: collection.legalBasis,
  categories: [...new Set(Object.values(collection.columns).map(({ category }) => category))],
  recipients: collection.recipients,
  retention: collection.retention,
});
