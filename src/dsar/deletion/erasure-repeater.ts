import { Eraser } from '../../deletion/eraser.js';
import { LedgerEraser } from '../../deletion/ledger/eraser.js';
import { repeaterOf } from '../../deletion/ledger/repeater.js';
import { ErasureRepetition } from './erasure-repetition.js';

/** Repeats erasures of people, with their requests. */
export const erasureRepeater = repeaterOf(LedgerEraser, Eraser, ErasureRepetition);
