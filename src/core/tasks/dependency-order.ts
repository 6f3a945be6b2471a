import { cycleError } from './dependencies.js';

/**
 * The places of a batch, each after those that it depends on, otherwise as given.
 * Throws `dependency_cycle`, naming the members of the loop by `nameOf`.
 */
export function dependencyOrder(
  dependencies: readonly (readonly number[])[],
  nameOf: (index: number) => string,
): number[] {
  const order: number[] = [];
  const placed = new Set<number>();
  const path: number[] = [];

  function place(index: number): void {
    if (placed.has(index)) return;
    if (path.includes(index)) throw cycleError([...path.slice(path.indexOf(index)), index].map(nameOf));
    path.push(index);
    for (const dependency of dependencies[index] ?? []) place(dependency);
    path.pop();
    placed.add(index);
    order.push(index);
  }

  for (const index of dependencies.keys()) place(index);
  return order;
}
