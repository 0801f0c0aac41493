/** Progress in words: how far, how fast, how long still. */

/** Where a long task stands. */
export interface Stand {
  /** What is being done, and the things counted: "training", "steps". */
  readonly stage: string;
  readonly unit: string;
  readonly done: number;
  readonly total: number;
  /** Seconds since it began, and how many of `done` were done before that (a resumed run). */
  readonly seconds: number;
  readonly before?: number;
  /** What else to say. */
  readonly note?: string;
}

/** "training: 120/600 steps · 10 steps/s · 48 s left · loss 0.31"; at the end, without the times. */
export function progressLine({ stage, unit, done, total, seconds, before = 0, note = '' }: Stand): string {
  const rate = seconds > 0 ? (done - before) / seconds : 0;
  const running = done < total && rate > 0;
  return [
    `${stage}: ${Math.floor(done)}/${total} ${unit}`,
    ...(running ? [rateText(rate, unit), `${duration((total - done) / rate)} left`] : []),
    ...(note === '' ? [] : [note]),
  ]
    .join(' · ')
    .replaceAll(/\p{Cc}/gu, '�'); // a name must not steer the terminal
}

/**
 * A rate with digits to tell: "12 steps/s", "0.25 steps/s"; what comes more seldom is counted by the minute or the
 * hour.
 */
function rateText(rate: number, unit: string): string {
  if (rate >= 10) return `${rate.toFixed(0)} ${unit}/s`;
  if (rate >= 0.1) return `${rate.toFixed(2)} ${unit}/s`;
  return rate * 60 >= 0.1 ? `${(rate * 60).toFixed(2)} ${unit}/min` : `${(rate * 3600).toFixed(2)} ${unit}/h`;
}

/** Seconds as people say them: 42 s, 3 min 10 s, 2 h 5 min. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
