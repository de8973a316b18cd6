import { crc32, deflateSync } from 'node:zlib';
import type { Conversation } from './messages.js';
import { at, type Dice } from './random.js';
import type { AttachmentRow, StoredObject } from './rows.js';
import { languages, edgeFileNames, edgeTexts, fileNames, sentences } from './words.js';

export const filesBucket = 'atelier-files';

const mediaTypes = { txt: 'text/plain', csv: 'text/csv', png: 'image/png', pdf: 'application/pdf' } as const;
type Kind = keyof typeof mediaTypes;
const kinds = Object.keys(mediaTypes) as Kind[];

/** An attachment and its bytes; without bytes the store lost the object that the row still names. */
export interface Attachment {
  row: AttachmentRow;
  bytes: Buffer | null;
}

/** Files hang on messages that somebody wrote, spread over the whole story. */
export function makeAttachments(dice: Dice, count: number, conversation: Conversation): Attachment[] {
  const stride = Math.max(1, Math.floor(conversation.length / Math.max(1, count)));
  return Array.from({ length: Math.min(count, conversation.length) }, (_, number) => {
    const own = dice.fork(number);
    const index = writtenBySomebody(conversation, number * stride);
    const kind = at(kinds, number % kinds.length);
    const bytes = contents(own, number, kind);
    const id = own.uuid();
    const row: AttachmentRow = {
      id,
      message_id: conversation.id(index),
      bucket: filesBucket,
      // The path is Atelier's own; what the person called the file is only a column.
      path: `${conversation.envelope(index).room.row.workspace_id}/${id}.${kind}`,
      name:
        number % 5 === 2
          ? at(edgeFileNames, Math.floor(number / 5) % edgeFileNames.length)
          : own.pick(fileNames),
      media_type: mediaTypes[kind],
      bytes: String(bytes.length),
      created_at: conversation.sentAt(index),
    };
    return { row, bytes: number % 97 === 96 ? null : bytes };
  });
}

/** The objects to store, for the attachments that have one. */
export const storedObjects = (attachments: readonly Attachment[]): StoredObject[] =>
  attachments.flatMap(({ row, bytes }) => (bytes ? [{ bucket: row.bucket, path: row.path, bytes }] : []));

function writtenBySomebody(conversation: Conversation, from: number): number {
  for (let index = from; index < conversation.length; index++) {
    const { author, customer } = conversation.envelope(index);
    if (author !== null || customer !== null) return index;
  }
  return from;
}

function contents(dice: Dice, number: number, kind: Kind): Buffer {
  if (number === 4) return Buffer.alloc(0);
  if (kind === 'png') return png(dice);
  if (kind === 'pdf') return pdf(`Attachment ${number}`);
  const rows = number === 8 ? 4000 : dice.between(1, 60);
  const lines = Array.from({ length: rows }, (_, row) =>
    kind === 'csv'
      ? `${row},"${dice.pick(edgeTexts).replaceAll('"', '""')}",${dice.between(-9999, 9999) / 100}\r\n`
      : `${dice.pick(sentences[dice.pick(languages)])}\n`,
  );
  return Buffer.from(lines.join(''));
}

/** A picture of coloured noise that any viewer opens: 8 bits, RGB. */
function png(dice: Dice): Buffer {
  const [width, height] = [dice.between(4, 48), dice.between(4, 48)];
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const scanlines = Array.from({ length: height }, () =>
    Buffer.concat([Buffer.of(0), dice.bytes(width * 3)]),
  );
  const signature = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const data = deflateSync(Buffer.concat(scanlines));
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** One page with one line on it, its cross-reference table counted out. */
function pdf(text: string): Buffer {
  const stream = `BT /F1 24 Tf 72 720 Td (${text}) Tj ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let file = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const size = objects.length + 1;
  const table = `xref\n0 ${size}\n0000000000 65535 f \n${offsets.join('')}`;
  return Buffer.from(
    `${file}${table}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${file.length}\n%%EOF\n`,
  );
}
