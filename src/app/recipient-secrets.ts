import { type Config } from '../config.js';
import { type DataMap, type Recipient } from '../datamap/map.js';
import { secretsOf, templatesOf } from '../datamap/recipients.js';
import { DomainError, type InputProblem } from '../errors.js';

/**
 * Whether every recipient of the data map can be told with what the environment gives: its secrets, and in production
 * an address that everybody may call.
 * @throws DomainError `config.invalid` whose errors list every variable that is missing and what to set
 */
export function assertRecipients(
  map: Pick<DataMap, 'recipients'>,
  { recipientSecrets, production }: Pick<Config, 'recipientSecrets' | 'production'>,
): void {
  const problems: InputProblem[] = secretsOf(map).flatMap(({ name, of }) => {
    const path = `RECIPIENT_${name}_SECRET`;
    const value = recipientSecrets[name];
    if (value === undefined)
      return [{ path, code: 'config.missing', message: `is needed: the recipient ${of.name} uses it` }];
    if (of.kind === 'webhook' && of.secret === name && !isWebhookSecret(value))
      return [{ path, code: 'config.invalid_value', message: 'must be whsec_ and 24 to 64 bytes in base64' }];
    // A line break would begin another header.
    if (!/^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(value))
      return [{ path, code: 'config.invalid_value', message: 'must be printable ASCII' }];
    return [];
  });
  const overHttp = (recipient: Recipient) =>
    templatesOf(recipient).some(({ isUrl, text }) => isUrl && text.startsWith('http:'));
  for (const recipient of production ? Object.values(map.recipients).filter(overHttp) : [])
    problems.push({
      path: `recipients.${recipient.name}`,
      code: 'config.not_for_production',
      message: 'must be called over https in production',
    });
  if (problems.length === 0) return;
  const list = problems.map(({ path, message }) => `  ${path}: ${message}`).join('\n');
  throw new DomainError('config.invalid', `The recipients of the data map lack something:\n${list}`, {
    errors: problems,
  });
}

function isWebhookSecret(value: string): boolean {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value)?.[1];
  const bytes = Buffer.from(base64 ?? '', 'base64').length;
  return bytes >= 24 && bytes <= 64;
}
