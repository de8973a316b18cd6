/**
 * The records of a ZIP file (PKWARE APPNOTE 6.3.10), for entries whose sizes are known only after them.
 * Every entry is deflated and followed by a data descriptor, so that a reader that streams can follow too.
 */
export interface ZipEntry {
  name: Buffer;
  /** Where its local header begins. */
  offset: number;
  modified: { time: number; date: number };
  crc: number;
  packed: number;
  bytes: number;
}

const version = { plain: 20, zip64: 45 };
/** Bit 3: sizes follow the data. Bit 11: the name is UTF-8. */
const flags = 0x0808;
const deflated = 8;
const unixFile = { madeBy: 3 << 8, attributes: (0o100600 << 16) >>> 0 };
const max16 = 0xffff;
const max32 = 0xffffffff;

const isLarge = ({ packed, bytes }: ZipEntry): boolean => packed >= max32 || bytes >= max32;

export function localHeader(entry: Pick<ZipEntry, 'name' | 'modified'>): Buffer {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(version.plain, 4);
  writeCommon(head, 6, entry);
  head.writeUInt16LE(entry.name.length, 26);
  return Buffer.concat([head, entry.name]);
}

/** With 8-byte sizes exactly where the central directory has them too. */
export function dataDescriptor(entry: ZipEntry): Buffer {
  const large = isLarge(entry);
  const record = Buffer.alloc(large ? 24 : 16);
  record.writeUInt32LE(0x08074b50, 0);
  record.writeUInt32LE(entry.crc, 4);
  if (large) {
    record.writeBigUInt64LE(BigInt(entry.packed), 8);
    record.writeBigUInt64LE(BigInt(entry.bytes), 16);
  } else {
    record.writeUInt32LE(entry.packed, 8);
    record.writeUInt32LE(entry.bytes, 12);
  }
  return record;
}

export function centralHeader(entry: ZipEntry): Buffer {
  const zip64 = isLarge(entry) || entry.offset >= max32;
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x02014b50, 0);
  head.writeUInt16LE(unixFile.madeBy | version.zip64, 4);
  head.writeUInt16LE(zip64 ? version.zip64 : version.plain, 6);
  writeCommon(head, 8, entry);
  head.writeUInt32LE(entry.crc, 16);
  head.writeUInt32LE(zip64 ? max32 : entry.packed, 20);
  head.writeUInt32LE(zip64 ? max32 : entry.bytes, 24);
  head.writeUInt16LE(entry.name.length, 28);
  head.writeUInt16LE(zip64 ? 28 : 0, 30);
  head.writeUInt32LE(unixFile.attributes, 38);
  head.writeUInt32LE(zip64 ? max32 : entry.offset, 42);
  return Buffer.concat(zip64 ? [head, entry.name, zip64Extra(entry)] : [head, entry.name]);
}

/** What closes the file, given how many entries its central directory has, and where it lies. */
export function endOfDirectory(entries: number, offset: number, length: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(entries, max16), 8);
  end.writeUInt16LE(Math.min(entries, max16), 10);
  end.writeUInt32LE(Math.min(length, max32), 12);
  end.writeUInt32LE(Math.min(offset, max32), 16);
  const zip64 = entries >= max16 || offset >= max32 || length >= max32;
  return zip64 ? Buffer.concat([zip64End(entries, offset, length), end]) : end;
}

/** MS-DOS date and time, in UTC, of which years before 1980 and after 2107 do not exist. */
export function dosTime(at: Date): ZipEntry['modified'] {
  const year = Math.min(Math.max(at.getUTCFullYear(), 1980), 2107);
  return {
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    date: ((year - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  };
}

function writeCommon(record: Buffer, at: number, { modified }: Pick<ZipEntry, 'modified'>): void {
  record.writeUInt16LE(flags, at);
  record.writeUInt16LE(deflated, at + 2);
  record.writeUInt16LE(modified.time, at + 4);
  record.writeUInt16LE(modified.date, at + 6);
}

function zip64Extra({ bytes, packed, offset }: ZipEntry): Buffer {
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(0x0001, 0);
  extra.writeUInt16LE(24, 2);
  [bytes, packed, offset].forEach((value, n) => extra.writeBigUInt64LE(BigInt(value), 4 + 8 * n));
  return extra;
}

function zip64End(entries: number, offset: number, length: number): Buffer {
  const end = Buffer.alloc(56 + 20);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE(unixFile.madeBy | version.zip64, 12);
  end.writeUInt16LE(version.zip64, 14);
  [entries, entries, length, offset].forEach((value, n) => end.writeBigUInt64LE(BigInt(value), 24 + 8 * n));
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(offset + length), 64);
  end.writeUInt32LE(1, 72);
  return end;
}
