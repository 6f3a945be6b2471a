/** Changes the code of a statement between its strings, quoted names and comments. */
export function outsideQuotes(text: string, change: (code: string) => string): string {
  return text
    .split(/('(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*)/)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join('');
}
