import { createHash } from 'node:crypto';

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/** RFC 9162, 2.1.1: leaves and inner nodes are hashed apart, so that neither can pass for the other. */
export const leafHash = (leaf: Uint8Array): Buffer => sha256(LEAF, leaf);
export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => sha256(NODE, left, right);

/**
 * The head of a growing Merkle tree (RFC 9162, 2.1.1; the same as RFC 6962's), of which only the roots of its whole
 * subtrees are kept: one for each bit that is set in the number of leaves, so 20 for a million.
 */
export class MerkleRange {
  /** Roots of whole subtrees, the largest first. */
  private readonly peaks: Buffer[] = [];
  private count = 0;

  /** How many leaves there are. */
  get size(): number {
    return this.count;
  }

  append(leaf: Uint8Array): void {
    let root = leafHash(leaf);
    // As a counter carries: each trailing one bit is a subtree as large as the one that is complete now.
    for (let left = this.count; left % 2 === 1; left = (left - 1) / 2)
      root = nodeHash(this.peaks.pop() as Buffer, root);
    this.peaks.push(root);
    this.count += 1;
  }

  /** The tree's head; of no leaves it is the hash of nothing. */
  root(): Buffer {
    return (
      this.peaks.reduceRight<Buffer | undefined>(
        (right, left) => (right ? nodeHash(left, right) : left),
        undefined,
      ) ?? sha256()
    );
  }
}
