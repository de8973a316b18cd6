import { PurgeRepeater } from '../../deletion/ledger/eraser.js';
import { repeaterOf } from '../../deletion/ledger/repeater.js';
import { WorkspaceEraser } from '../../deletion/workspace-eraser.js';
import { PurgeRepetition } from './repetition.js';

/** Repeats purges, with their requests. */
export const purgeRepeater = repeaterOf(PurgeRepeater, WorkspaceEraser, PurgeRepetition);
