/** The words of a page, translated by the server; no module holds any of its own. */

/**
 * @param {Record<string, string>} dictionary
 * @param {string} language of the page, for plurals and numbers
 * @returns {((key: string, values?: Record<string, string | number>) => string) & {percent(value: number): string}}
 *   "{n}" is filled in; where the dictionary has `key_one` and `key_other`, `n` chooses
 */
export function createText(dictionary, language) {
  const plurals = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const percents = new Intl.NumberFormat(language, { style: "percent" });
  const text = (key, values = {}) => {
    const form = "n" in values && !(key in dictionary) ? `${key}_${plurals.select(values.n)}` : key;
    const words = dictionary[form] ?? dictionary[`${key}_other`];
    if (words === undefined) throw new Error(`no text for “${key}”`);
    return words.replace(/\{(\w+)\}/g, (whole, name) => {
      const value = values[name];
      return typeof value === "number" ? numbers.format(value) : (value ?? whole);
    });
  };
  return Object.assign(text, { percent: (value) => percents.format(value) });
}
