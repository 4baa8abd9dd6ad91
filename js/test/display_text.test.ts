import { expect, test } from "vitest";
import { displayText } from "../src/display_text";

// Pairs taken from mlnb.formatting.display_text.
test.each([
  ["conv1/weight", 80, "conv1/weight"],
  ["a\u202eb\n", 80, "a\\u202eb\\n"],
  ["\x00\x7f\x85\xad\t\r", 80, "\\x00\\x7f\\x85\\xad\\t\\r"],
  ["\u{e0001}\u{e0fff}", 80, "\\U000e0001\\U000e0fff"],
  ["\ud800x", 80, "\\ud800x"],
  ["\ufeff\u200b\u3164", 80, "\\ufeff\\u200b\\u3164"],
  ["Größe 层 😀", 80, "Größe 层 😀"],
  ["abcdef", 6, "abcdef"],
  ["abcdefg", 6, "abcde…"],
  ["😀😀😀😀", 4, "😀😀😀😀"],
  ["😀😀😀😀😀", 4, "😀😀😀…"],
  ["\n".repeat(10), 4, "\\n\\n\\n…"],
  ["back\\slash", 80, "back\\slash"],
])("%j, at most %i characters, shows as Python shows it", (text, limit, shown) => {
  expect(displayText(text, limit)).toBe(shown);
});
