import type { Progress } from './trainer.js';

const mostEpochs = 100;

/**
 * Lets through what happens within an epoch (at most one report a second) and the ends of at most a hundred epochs,
 * evenly spread, with the last: ten thousand epochs of iris take two seconds, and must not flood whoever listens.
 */
export function thinProgress(epochs: number, report: (progress: Progress) => void): (progress: Progress) => void {
  const stride = Math.ceil(epochs / mostEpochs);
  return (progress) => {
    const isEnd = progress.batch === progress.batches;
    if (!isEnd || progress.epoch % stride === 0 || progress.epoch === epochs) report(progress);
  };
}
