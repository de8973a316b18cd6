import { type Law, type LawId } from './law.js';
import { bhPdpl } from './laws/bh-pdpl.js';
import { ccpa } from './laws/ccpa.js';
import { gdpr } from './laws/gdpr.js';
import { jpAppi } from './laws/jp-appi.js';
import { lgpd } from './laws/lgpd.js';
import { pipeda } from './laws/pipeda.js';
import { saPdpl } from './laws/sa-pdpl.js';
import { ukGdpr } from './laws/uk-gdpr.js';

/** Every law, one file each under laws/. A change of law is a change of data, with its source. */
export const laws = {
  gdpr,
  'uk-gdpr': ukGdpr,
  ccpa,
  lgpd,
  pipeda,
  'sa-pdpl': saPdpl,
  'bh-pdpl': bhPdpl,
  'jp-appi': jpAppi,
} as const satisfies Record<LawId, Law>;

export const lawIds = Object.keys(laws) as LawId[];

export const lawOf = (id: LawId): Law => laws[id];

/** Whether a word from configuration or a column names a law. */
export const isLawId = (word: string): word is LawId => Object.hasOwn(laws, word);
