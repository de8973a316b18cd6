import { relative } from 'node:path';
import { type Config } from '../config.js';

interface Facts {
  config: Config;
  /** Milliseconds from the process's start. */
  took: number;
  logFile?: string | undefined;
}

/** What somebody who has just started the service wants to know: where it is, who they can be, what to try. */
export function welcome({ config, took, logFile }: Facts): string {
  const { publicUrl } = config;
  const parts = [
    `Habeas is ready on ${publicUrl}  (${(took / 1000).toFixed(1)} s; to read: ${publicUrl}/docs)`,
    ...(config.demoSignIn && config.demoHost ? [people, firstRequest(publicUrl)] : []),
    places(config, logFile),
  ];
  return `\n${parts.map(indented).join('\n\n')}\n\n`;
}

const people = `
Demo people  owner, admin, member, viewer  of Acme
             neighbour                     owns another workspace
             auditor, support, privacy-lead`.trim();

// Not curl's --json: many machines have a curl that is older than it.
const json = '-H content-type:application/json';

const firstRequest = (url: string) =>
  `
Try: sign in as the member, and ask for everything that is held about them
  TOKEN=$(curl -s ${url}/demo/sessions ${json} -d '{"person":"member"}' | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
  curl -s ${url}/v1/me/requests -H "authorization: Bearer $TOKEN" ${json} -d '{"kind":"access"}'`.trim();

function places(config: Config, logFile: string | undefined): string {
  const near = (path: string) => {
    const shorter = relative(process.cwd(), path);
    return shorter.startsWith('..') ? path : shorter;
  };
  const home = near(config.home);
  return [
    ...(config.mail.smtpUrl ? [] : [`Mails     ${home}/outbox`]),
    ...(config.databaseUrl ? [] : [`Database  psql "$(cat ${home}/database.url)"`]),
    ...(logFile === undefined ? [] : [`Log       ${near(logFile)}`]),
    config.databaseUrl ? 'Stop      Ctrl-C' : 'Stop      Ctrl-C, Postgres included; the data stays',
  ].join('\n');
}

const indented = (text: string) => text.replace(/^/gm, '  ');
