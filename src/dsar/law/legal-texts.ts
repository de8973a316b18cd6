import { type LegalTexts } from './legal-text.js';
import { english } from './texts/en.js';

const catalogue: Record<string, LegalTexts> = { en: english };

/** The texts in the person's language (`pt-BR`), or its base language, or English. */
export function legalTexts(language?: string | null): LegalTexts {
  const tag = language?.toLowerCase() ?? 'en';
  const find = (name: string) => (Object.hasOwn(catalogue, name) ? catalogue[name] : undefined);
  return find(tag) ?? find(tag.split('-')[0] ?? '') ?? english;
}
