/** Progress of a long command on standard error: a line that rewrites itself on a terminal, a line now and then elsewhere. */

/** Shows how far a stage is, its rate and the time left. */
export class TerminalProgress {
  #stage = '';
  #startedAt = 0;
  #startedFrom = 0;
  #shownAt = -Infinity;

  /** `stage` names what is counted, `unit` the things counted; `note` ends the line. */
  update(stage: string, unit: string, done: number, total: number, note = ''): void {
    const now = performance.now();
    if (stage !== this.#stage) {
      this.end();
      [this.#stage, this.#startedAt, this.#startedFrom] = [stage, now, done];
    }
    const terminal = process.stderr.isTTY;
    if (done < total && now - this.#shownAt < (terminal ? 200 : 10_000)) return;
    this.#shownAt = now;
    const seconds = (now - this.#startedAt) / 1000;
    const rate = seconds > 0 ? (done - this.#startedFrom) / seconds : 0;
    const left = rate > 0 ? ` · ${duration((total - done) / rate)} left` : '';
    const speed = rate > 0 ? ` · ${rate >= 10 ? rate.toFixed(0) : rate.toFixed(2)} ${unit}/s` : '';
    const line = `${stage}: ${Math.floor(done)}/${total} ${unit}${speed}${left}${note === '' ? '' : ` · ${note}`}`;
    process.stderr.write(terminal ? `\r\u001b[K${line}` : `${line}\n`);
  }

  /** Leaves the last line standing. */
  end(): void {
    if (process.stderr.isTTY && this.#stage !== '') process.stderr.write('\n');
    this.#stage = '';
    this.#shownAt = -Infinity;
  }
}

/** Seconds as people say them: 42 s, 3 min 10 s, 2 h 5 min. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
