/** In bytes: file systems allow 255, of which the number in front takes some. */
const LONGEST = 200;

/**
 * A name that every system unpacks where it belongs: no folders, nothing hidden, nothing that Windows reserves,
 * short enough. What was changed stays readable; the manifest keeps the name as it was.
 */
export function safeFileName(name: string): string {
  const last =
    name
      .normalize('NFC')
      .split(/[/\\]/)
      .filter((part) => part !== '' && !/^\.+$/.test(part))
      .at(-1) ?? '';
  const plain = last
     
    .replace(/[\u0000-\u001f\u007f-\u009f<>:"|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '')
    .toWellFormed();
  const dot = plain.lastIndexOf('.');
  const ending = dot > 0 && plain.length - dot <= 12 ? plain.slice(dot) : '';
  let stem = '';
  for (const character of ending ? plain.slice(0, dot) : plain) {
    if (Buffer.byteLength(stem + character + ending) > LONGEST) break;
    stem += character;
  }
  return `${stem || 'file'}${ending}`;
}
