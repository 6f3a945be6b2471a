/** An element that must be there. Out of range is a defect of ours, and must not turn into NaN. */
export function valueAt<Value>(values: ArrayLike<Value>, index: number): Value {
  const value = values[index];
  if (value === undefined) throw new RangeError(`No element ${index} in a list of ${values.length}`);
  return value;
}
