export async function runCommandLine(args: string[]): Promise<void> {
  process.stderr.write(`${args.join(' ')}\n`);
}
