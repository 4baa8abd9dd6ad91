// The one way in which foreign text reaches the page. Same rules as mlnb.formatting.display_text:
// control, bidi and other unseen characters become visible escapes, long text is clipped.
const UNSEEN =
  /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e0fff}]/gu;

const SHORT: Record<string, string> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** `text` as one line that can do no harm, at most `limit` characters (code points) long. */
export function displayText(text: string, limit = 80): string {
  const shortEnough = text.length <= limit;
  const characters = shortEnough ? [] : Array.from(text);
  const whole = shortEnough || characters.length <= limit;
  const shown = (whole ? text : characters.slice(0, limit - 1).join("")).replace(UNSEEN, escapeOf);
  return whole ? shown : `${shown}…`;
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = (digits: number) => code.toString(16).padStart(digits, "0");
  if (SHORT[character]) return SHORT[character];
  if (code <= 0xff) return `\\x${hex(2)}`;
  return code <= 0xffff ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}
