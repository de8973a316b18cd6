/** Most file systems end at 255 bytes of a name; the package puts a number in front. */
const LONGEST = 200;
const LONGEST_ENDING = 24;

// Control characters, what Windows reserves, and what turns or breaks a line of text.
const awkward = /[\u0000-\u001f\u007f-\u009f<>:"|?*\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * A name that every system unpacks where it belongs: no folders, nothing hidden, nothing that Windows reserves,
 * at most 200 bytes. What was changed stays readable; the manifest keeps the name as it was.
 */
export function safeFileName(name: string): string {
  const last =
    name
      .normalize('NFC')
      .split(/[/\\]/)
      .filter((part) => part !== '' && !/^\.+$/.test(part))
      .at(-1) ?? '';
  const plain = trimmed(last.replace(awkward, '_').toWellFormed());
  const dot = plain.lastIndexOf('.');
  const ending = dot > 0 && Buffer.byteLength(plain.slice(dot)) <= LONGEST_ENDING ? plain.slice(dot) : '';
  const stem = trimmed(shortened(ending ? plain.slice(0, dot) : plain, LONGEST - Buffer.byteLength(ending)));
  return `${stem || 'file'}${ending}`;
}

/** Windows drops dots and spaces at the end; one in front would hide the file. */
const trimmed = (name: string): string => name.replace(/^[.\s]+|[.\s]+$/g, '');

/** Whole characters only, as many as go into so many bytes of UTF-8. */
function shortened(name: string, bytes: number): string {
  let kept = '';
  let left = bytes;
  for (const character of name) {
    left -= Buffer.byteLength(character);
    if (left < 0) break;
    kept += character;
  }
  return kept;
}
