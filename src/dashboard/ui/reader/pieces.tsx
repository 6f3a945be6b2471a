import { Component } from 'preact';
import { useRef } from 'preact/hooks';
import { hasEscapes, type Look, lastWritten, readAnsi } from './ansi.js';

const pieceSize = 8_000;
/** A line that is longer is broken, or the browser would lay it out as one. */
const longestLine = 4 * pieceSize;

interface Piece {
  text: string;
  /** With which it begins. */
  look: Look;
}

/** A text in pieces; what is complete stays as it is when the text grows. */
interface Cut {
  text: string;
  /** The length of the complete pieces. */
  done: number;
  pieces: Piece[];
  look: Look;
}

const nothing: Cut = { text: '', done: 0, pieces: [], look: {} };

function cut(text: string, last: Cut): Cut {
  // A text that goes on shares its complete pieces with what it was; the end of them tells whether it does.
  const from = Math.max(0, last.done - 1_000);
  const isSame = text.length >= last.done && text.startsWith(last.text.slice(from, last.done), from);
  let { done, look } = isSame ? last : nothing;
  const pieces = isSame ? [...last.pieces] : [];
  while (text.length - done > pieceSize) {
    const lineEnd = text.indexOf('\n', done + pieceSize);
    const isLine = lineEnd !== -1 && lineEnd - done < longestLine;
    if (lineEnd === -1 && text.length - done <= longestLine) break;
    const next = isLine ? lineEnd + 1 : done + longestLine;
    const piece = text.slice(done, next);
    pieces.push({ text: piece, look });
    if (hasEscapes(piece)) look = readAnsi(piece, look).look;
    done = next;
  }
  return { text, done, pieces, look };
}

interface PiecesProps {
  text: string;
  /** Shows the colours of a terminal, and lines as it would leave them. */
  isConsole?: boolean;
}

/**
 * A long text in pieces of some pages, of which the browser lays out those in sight: a text that grows costs what comes
 * to it.
 */
export function Pieces({ text, isConsole = false }: PiecesProps) {
  const last = useRef(nothing);
  last.current = cut(text, last.current);
  const { pieces, done, look } = last.current;
  return (
    <>
      {pieces.map((piece, index) => (
        <OnePiece key={index} {...piece} isConsole={isConsole} />
      ))}
      <OnePiece key={pieces.length} text={text.slice(done)} look={look} isConsole={isConsole} />
    </>
  );
}

class OnePiece extends Component<Piece & { isConsole: boolean }> {
  override shouldComponentUpdate(next: Piece & { isConsole: boolean }): boolean {
    return next.text !== this.props.text || next.isConsole !== this.props.isConsole;
  }

  override render() {
    const { text, look, isConsole } = this.props;
    if (text === '') return null;
    const hasLook = Object.keys(look).length > 0;
    const isPlain = !isConsole || !(hasLook || hasEscapes(text) || text.includes('\r'));
    return <span class="piece">{isPlain ? text : coloured(text, look)}</span>;
  }
}

function coloured(text: string, from: Look) {
  return readAnsi(lastWritten(text), from).spans.map(({ look, text: part }, index) => {
    const name = classOf(look);
    return name === '' ? (
      part
    ) : (
      <span key={index} class={name}>
        {part}
      </span>
    );
  });
}

function classOf(look: Look): string {
  const names = [
    look.colour === undefined ? '' : `ansi-${look.colour}`,
    look.ground === undefined ? '' : `ansi-on-${look.ground}`,
    look.isBold ? 'ansi-bold' : '',
    look.isDim ? 'ansi-dim' : '',
    look.isItalic ? 'ansi-italic' : '',
    look.isUnderlined ? 'ansi-underlined' : '',
    look.isStruck ? 'ansi-struck' : '',
  ];
  return names.filter((name) => name !== '').join(' ');
}
