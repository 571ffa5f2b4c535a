/** Sentences about boxes, for names beside them, screen readers and the help panel. */

import { isSuggestion } from "./store.js";

/**
 * @param {object} given
 * @param {ReturnType<typeof import("../lacs_web/text.js").createText>} given.text
 * @param {{value: string, text: string}[]} given.labels  @param {{value: string, text: string}[]} given.activities
 */
export function createWords({ text, labels, activities }) {
  const find = (entries, value) => entries.find((entry) => entry.value === value)?.text ?? value;
  const labelOf = (value) => find(labels, value);
  const activityOf = (value) => find(activities, value);
  return {
    labelOf,
    activityOf,

    /** Beside the box, as short as can be; the question mark says "suggested" without colour. */
    name(box) {
      const word = box.activity ? activityOf(box.activity) : labelOf(box.label);
      return isSuggestion(box) ? text("name_suggested", { box: word }) : word;
    },

    /** In the list: "person · bathing? 62 %". */
    line(box) {
      const words = [labelOf(box.label), box.activity && activityOf(box.activity)].filter(Boolean).join(" · ");
      return isSuggestion(box) ? text("line_suggested", { box: words, score: text.percent(box.score) }) : words;
    },

    /** For a screen reader: "person, bathing, suggested 62 %". */
    describe: (box) =>
      [
        labelOf(box.label),
        box.activity && activityOf(box.activity),
        isSuggestion(box) && text("suggested", { score: text.percent(box.score) }),
      ]
        .filter(Boolean)
        .join(", "),

    /** "2 × person, 1 × tent", or that there is nothing. */
    count(boxes) {
      const counts = new Map();
      for (const box of boxes) counts.set(box.label, (counts.get(box.label) ?? 0) + 1);
      if (!counts.size) return text("no_boxes");
      return [...counts].map(([label, n]) => text("count_of", { n, label: labelOf(label) })).join(", ");
    },
  };
}
