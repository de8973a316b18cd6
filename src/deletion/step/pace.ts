/** How many rows a batch takes, so that nobody waits for it: halved when slow, grown when fast. */
export class Pace {
  private rows: number;

  /**
   * @param target milliseconds that a batch stays under
   * @param most five times as many are a fifth faster, and are felt by whoever commits beside them (npm run bench purge)
   */
  constructor(
    first = 1000,
    private readonly target = 200,
    private readonly most = 1000,
  ) {
    this.rows = first;
  }

  get size(): number {
    return this.rows;
  }

  took(milliseconds: number, rows: number): void {
    // A small rest says nothing about a full batch.
    if (rows < this.rows && milliseconds < this.target) return;
    const fits = (this.rows * this.target * 0.6) / Math.max(milliseconds, 1);
    this.rows = Math.round(Math.min(Math.max(fits, this.rows / 4, 10), this.rows * 2, this.most));
  }

  /** A lock was waited for in vain: fewer rows meet fewer locks. */
  stumbled(): void {
    this.rows = Math.max(10, Math.floor(this.rows / 4));
  }
}
