/** Carries out `count` of the items, at most `width` at once. Rejects as soon as one does. */
export async function fire<Item>(
  items: Iterator<Item>,
  { count, width }: { count: number; width: number },
  act: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  async function worker(): Promise<void> {
    while (next < count) {
      const index = next++;
      const { done, value } = items.next();
      if (done) return;
      await act(value, index);
    }
  }
  await Promise.all(Array.from({ length: width }, worker));
}
