/**
 * Text from the web on one line: without the control characters that could steer a terminal, and cut to `most`
 * characters.
 */
export function plainText(text: string, most = Number.POSITIVE_INFINITY): string {
  const plain = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\s]+/g, ' ')
    .trim();
  return plain.length > most ? `${plain.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…` : plain;
}
