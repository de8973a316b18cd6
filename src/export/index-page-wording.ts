const whole = new Intl.NumberFormat('en');
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const longDay = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });

export const count = (value: number): string => whole.format(value);

export const plural = (value: number, one: string, many: string): string => (value === 1 ? one : many);

/** Decimal units, as file managers show them. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} ${plural(value, 'byte', 'bytes')}`;
  const unit = Math.min(Math.floor(Math.log10(value) / 3), 4);
  return `${tenths.format(value / 1000 ** unit)} ${['', 'kB', 'MB', 'GB', 'TB'][unit] ?? ''}`;
}

export const day = (iso: string): string => `${longDay.format(new Date(iso))} UTC`;

const longest = 240;

const letters = new Intl.Segmenter();

/** A value as a person reads it: text as it is, the rest as JSON; cut where it is long, since the file has it whole. */
export function readable(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text.length <= longest) return text;
  const cut = letters.segment(text).containing(longest);
  return `${text.slice(0, cut?.index ?? longest)}…`;
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** How many bytes a sealed value has: of what base64 stands for, as packages write bytes, else of its text. */
export function sealedBytes(value: unknown): number {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return Buffer.byteLength(text, base64.test(text) ? 'base64' : 'utf8');
}

/** `sent_at` → `sent at`. */
export const spoken = (name: string): string => name.replaceAll('_', ' ');

/** An address of a file beside this page, whatever its name. */
export const relative = (name: string): string => `./${name.split('/').map(encodeURIComponent).join('/')}`;
