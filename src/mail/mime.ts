import { type SendMailOptions } from 'nodemailer';
import { type MailAddress } from './mail-address.js';
import { type OutgoingMail } from './transport.js';

/**
 * The mail as nodemailer takes it, the same each time it is asked: a mail that had to be sent twice (killed
 * between the server's "250" and our mark) bears the same Message-ID, by which receivers drop the second.
 */
export const mimeOf = (mail: OutgoingMail, from: MailAddress): SendMailOptions => ({
  from,
  // As an object it is one address by construction; a string would be parsed, and may become several.
  to: { name: '', address: mail.to },
  subject: mail.subject,
  text: mail.text,
  html: mail.html,
  attachments: mail.enclosures.map(({ name, mediaType, content }) => ({
    filename: name,
    contentType: mediaType,
    content,
    // Byte by byte, whatever the lines are like: a signature is over them.
    contentTransferEncoding: 'base64',
  })),
  messageId: `<${mail.id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`,
  date: mail.writtenAt,
  // RFC 3834: no out-of-office answers, please.
  headers: { 'Auto-Submitted': 'auto-generated', 'Content-Language': mail.language },
  baseBoundary: mail.id,
  disableFileAccess: true,
  disableUrlAccess: true,
});
