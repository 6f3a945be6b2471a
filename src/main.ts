/** Runs the command line that it is given. */
export async function main(args: string[]): Promise<void> {
  // A client starts the server with a pipe and no argument; a person at a terminal gets help.
  if (args.length === 0 && !process.stdin.isTTY) {
    const [{ serveStdio }, { readConfig }] = await Promise.all([import('./mcp/stdio.js'), import('./config.js')]);
    await serveStdio(() => readConfig());
  } else if (args.join(' ') === 'hook pre-tool-use') {
    // Before each edit of a session: what the other commands need is not loaded for it.
    const { answerPreToolUse } = await import('./cli/guard/pre-tool-use.js');
    await answerPreToolUse();
  } else {
    const { runCommandLine } = await import('./cli/program.js');
    await runCommandLine(args);
  }
}
