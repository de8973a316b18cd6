import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { senderAddress, type MailAddress } from './mail-address.js';
import { mimeOf } from './mime.js';
import { type Handover, type MailTransport, type OutgoingMail } from './transport.js';

/** Mails as .eml files in a folder (0700, files 0600), for trying out: they open in any mail program. */
export class FileTransport implements MailTransport {
  private readonly from: MailAddress;
  private readonly composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });

  constructor(
    private readonly folder: string,
    from: string,
  ) {
    this.from = senderAddress(from);
  }

  /** Exactly once: the name depends on the mail alone, so whoever repeats it after a crash writes the same file. */
  async send(mail: OutgoingMail): Promise<Handover> {
    const { message } = await this.composer.sendMail(mimeOf(mail, this.from));
    try {
      await this.write(fileName(mail), message as Buffer);
      return { accepted: true };
    } catch {
      return { accepted: false, permanent: false, failure: 'mail.not_written' };
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Whole or not at all: nobody who lists the folder sees half a mail. */
  private async write(name: string, content: Buffer): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const draft = join(this.folder, `.${name}.draft`);
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, join(this.folder, name));
  }
}

/** `2026-11-20T12-00-00Z-package-ready-1b9d6bcd.eml`; the end of the id, which is random in every uuid version. */
export const fileName = ({ id, template, writtenAt }: OutgoingMail): string =>
  `${writtenAt.toISOString().slice(0, 19).replaceAll(':', '-')}Z-${template}-${id.slice(-8)}.eml`;
