/**
 * What the caller asks to read: a browser names text/html, a program JSON, and many name nothing in particular
 * (RFC 9110, 12.5.1). Only types that are named count: `*` is no wish.
 */
export function acceptedType(accept: string | undefined): 'html' | 'json' | 'any' {
  const wishes = { html: 0, json: 0 };
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    const wish = /^(text\/html|application\/xhtml\+xml)$/.test(type)
      ? 'html'
      : /^application\/(problem\+)?json$/.test(type) && 'json';
    if (wish) wishes[wish] = Math.max(wishes[wish], weight || 0);
  }
  if (wishes.html === 0 && wishes.json === 0) return 'any';
  return wishes.html >= wishes.json ? 'html' : 'json';
}
