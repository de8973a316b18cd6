import { type Config } from '../../config.js';
import { certificateText } from '../../deletion/certificate/certificate.js';
import { type SignedCertificate, untilWhen } from '../../deletion/certificate/certificate.schema.js';

/** What a letter tells of a certificate that comes with it. `titleOf`: what people read instead of a collection's name. */
export const certificateWords = (
  certificate: SignedCertificate,
  { publicUrl }: Pick<Config, 'publicUrl'>,
  titleOf: (collection: string) => string,
) => {
  const found = certificate.collections.filter(({ rows }) => rows > 0);
  return {
    deleted: found.filter(({ rule }) => rule !== 'keep').length,
    kept: found
      .filter(({ rule }) => rule === 'keep')
      .map(({ collection, ground = '', until }) => ({
        label: titleOf(collection),
        why: until === undefined ? ground : untilWhen(ground, until),
      })),
    recipients: certificate.recipients ?? [],
    backupsGoneBy: { on: certificate.backups.goneBy, zone: 'UTC' },
    keys: `${publicUrl}/.well-known/habeas-keys.json`,
    certificate: Buffer.from(certificateText(certificate)).toString('base64'),
  };
};
