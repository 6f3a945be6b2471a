/** As `engines` in package.json says. */
const oldest = [20, 19] as const;

/** What to tell somebody whose Node is too old for this program, if it is. */
export function complaintAboutNode(found = process.versions.node): string | undefined {
  const [major = 0, minor = 0] = found.split('.').map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return undefined;
  return `agent-runtime-mcp needs Node ${oldest.join('.')} or newer; this is Node ${found}, ${process.execPath}.`;
}
