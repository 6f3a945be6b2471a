import type { ComponentChildren } from 'preact';
import { Patch } from './patch.js';

/** Longer code has one colour. */
const longest = 20_000;

const words =
  'abstract|and|as|async|await|begin|break|case|catch|class|const|continue|create|def|default|del|delete|do|elif|else|end|' +
  'enum|except|export|extends|false|False|finally|fn|for|foreach|from|func|function|go|if|impl|implements|import|in|insert|' +
  'interface|into|is|join|lambda|let|limit|match|mod|mut|namespace|new|nil|None|not|null|or|order|package|pass|private|' +
  'protected|pub|public|raise|readonly|return|select|self|set|static|struct|super|switch|table|then|this|throw|trait|true|' +
  'True|try|type|undefined|update|use|using|values|var|void|when|where|while|with|yield';

/** What most languages have in common: comments, strings, numbers and words of the language. */
const pattern = new RegExp(
  [
    /(\/\/[^\n]*|(?<![^\s;])#(?![\w-]+[;{])[^\n]*|\/\*[\s\S]*?\*\/|(?<![^\s;])--[^\n]*)/.source,
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)/.source,
    /\b(\d[\w.]*)\b/.source,
    `\\b(${words})\\b`,
  ].join('|'),
  'g',
);

const kinds = ['comment', 'string', 'digits', 'word'];

/** A block of code in monospace, coloured lightly. */
export function Code({ language, text }: { language: string; text: string }) {
  if (/^(diff|patch)$/i.test(language)) return <Patch text={text} />;
  const isPlain = language === '' || /^(text|txt|plain|console|output|markdown|md)$/i.test(language);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolling with the keyboard needs focus.
    <pre class="code" tabIndex={0} data-language={language || undefined}>
      <code>{isPlain || text.length > longest ? text : coloured(text)}</code>
    </pre>
  );
}

function coloured(text: string): ComponentChildren[] {
  const parts: ComponentChildren[] = [];
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    const kind = kinds.find((_, group) => match[group + 1] !== undefined);
    parts.push(
      text.slice(at, match.index),
      <span key={at} class={`code-${kind}`}>
        {match[0]}
      </span>,
    );
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return parts;
}
