import { RuntimeError } from '../../base/errors.js';
import { nearest } from '../../base/text.js';
import type { CommandContext } from '../define-command.js';
import { completionRequest, type Shell, shells } from './shells.js';

/** Prints the script of a shell. */
export function runCompletion({ shell }: { shell: string }, { output }: CommandContext): void {
  const known = shells.find((one) => one === shell.toLowerCase());
  if (known === undefined) {
    const [near] = nearest(shell, shells);
    throw new RuntimeError(
      'invalid',
      `There is no completion for the shell ${JSON.stringify(shell)}.`,
      near === undefined ? `Use ${shells.join(', ')}.` : `Did you mean ${near}?`,
    );
  }
  output.write(scripts[known]);
}

/*
 * Each script asks the program itself: `__complete =WORD BEFORE...`, the word under the cursor first, as some shells drop
 * an empty argument. A line of the answer is a value and, after a tab, what it is; `:files` asks for names of files.
 */
const scripts: Readonly<Record<Shell, string>> = {
  bash: `# agent-runtime: completion for bash
_agent_runtime() {
  local line=\${COMP_LINE:0:COMP_POINT} current='' value
  local -a words
  read -ra words <<< "$line"
  case $line in *[[:space:]]) ;; *) current=\${words[\${#words[@]}-1]}; unset 'words[\${#words[@]}-1]' ;; esac
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    if [ "$value" = :files ]; then compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return; fi
    # Bash splits words at colons and equals signs, and replaces only what is behind the last one.
    case $current in *[:=]*) value=\${value#"\${current%"\${current##*[:=]}"}"} ;; esac
    COMPREPLY+=("$value")
  done < <("\${words[0]}" ${completionRequest} "=$current" "\${words[@]:1}" 2>/dev/null)
}
complete -F _agent_runtime agent-runtime agent-runtime-mcp
`,
  zsh: `#compdef agent-runtime agent-runtime-mcp
_agent_runtime() {
  local line
  local -a lines values
  lines=("\${(@f)$(\${words[1]} ${completionRequest} "=\${words[CURRENT]}" \${words[2,CURRENT-1]} 2>/dev/null)}")
  if [[ \${lines[1]} == :files ]]; then _files; return; fi
  for line in $lines; do values+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}"); done
  _describe agent-runtime values
}
if [[ \${funcstack[1]} == _agent_runtime ]]; then _agent_runtime; else compdef _agent_runtime agent-runtime agent-runtime-mcp; fi
`,
  fish: `# agent-runtime: completion for fish
function __agent_runtime_complete
  set -l words (commandline -opc)
  set -l lines ($words[1] ${completionRequest} "="(commandline -ct) $words[2..-1] 2>/dev/null)
  if test "$lines[1]" = ':files'
    __fish_complete_path (commandline -ct)
  else if test (count $lines) -gt 0
    printf '%s\\n' $lines
  end
end
complete -c agent-runtime -f -a '(__agent_runtime_complete)'
complete -c agent-runtime-mcp -f -a '(__agent_runtime_complete)'
`,
  powershell: `# agent-runtime: completion for PowerShell
Register-ArgumentCompleter -Native -CommandName agent-runtime, agent-runtime-mcp -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  $before = @($words | Select-Object -Skip 1)
  & $commandAst.CommandElements[0].ToString() ${completionRequest} "=$wordToComplete" @before 2>$null | Where-Object { $_ -ne ':files' } | ForEach-Object {
    $value, $about = $_ -split "\`t", 2
    if (-not $about) { $about = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
  }
}
`,
};
