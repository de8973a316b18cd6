import { type Block } from './letter.js';
import { type Composition } from './render.js';

/** The letter for readers, human and machine, that take plain text. Lines are not wrapped: readers do that. */
export function renderText({ subject, blocks, footer }: Composition): string {
  // A heading stands on what it is about.
  const body = blocks.map((block) => `${blockText(block)}${block.type === 'heading' ? '\n' : '\n\n'}`);
  return `${subject}\n\n${body.join('')}${['--', ...footer].join('\n')}\n`;
}

function blockText(block: Block): string {
  switch (block.type) {
    case 'paragraph':
      return block.link === undefined ? block.text : `${block.text}\n${block.link}`;
    case 'heading':
      return `${block.text}\n${'-'.repeat(block.text.length)}`;
    case 'list':
      return block.items.map((item) => `- ${item}`).join('\n');
    case 'facts':
      return block.facts.map(([label, value]) => `${label}: ${value}`).join('\n');
    case 'button':
      return `${block.label}:\n${block.url}`;
  }
}
