/** How one class did; 0 where a ratio has nothing to divide by. */
export type ClassScores = {
  class: string;
  /** Of the rows predicted as this class, the share that are. */
  precision: number;
  /** Of the rows of this class, the share that were predicted so. */
  recall: number;
  /** Harmonic mean of the two. */
  f1: number;
  /** Rows of this class. */
  support: number;
};

/** `matrix[actual][predicted]`, in rows; their sum is the number of rows. */
export function countConfusion(labels: Uint8Array, predictions: Uint8Array, classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, row) => {
    const counts = matrix[label] ?? [];
    const predicted = predictions[row] ?? 0;
    counts[predicted] = (counts[predicted] ?? 0) + 1;
  });
  return matrix;
}

export function scoreClasses(matrix: number[][], classes: string[]): ClassScores[] {
  return classes.map((name, index) => {
    const hits = matrix[index]?.[index] ?? 0;
    const support = (matrix[index] ?? []).reduce((sum, count) => sum + count, 0);
    const predicted = matrix.reduce((sum, counts) => sum + (counts[index] ?? 0), 0);
    return {
      class: name,
      precision: predicted === 0 ? 0 : hits / predicted,
      recall: support === 0 ? 0 : hits / support,
      f1: support + predicted === 0 ? 0 : (2 * hits) / (support + predicted),
      support,
    };
  });
}

/** The plain mean of f1 over the classes that occur among labels or predictions, as scikit-learn takes it. */
export function averageF1(matrix: number[][], scores: ClassScores[]): number {
  const occurring = scores.filter(
    ({ support }, index) => support > 0 || matrix.some((counts) => (counts[index] ?? 0) > 0),
  );
  return occurring.reduce((sum, { f1 }) => sum + f1, 0) / occurring.length;
}
