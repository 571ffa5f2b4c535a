/**
 * Pictures kept ready: loaded and decoded as <img> elements, so that showing one is only moving a node.
 * The oldest are let go. It never looks at what a picture shows.
 */

const KEPT = 48;

/** @param {() => HTMLImageElement} create makes an <img>; given, so that node can test */
export function createPictures(create = () => new Image()) {
  const cache = new Map();

  function load(url) {
    const image = create();
    image.alt = "";
    image.draggable = false;
    image.decoding = "async";
    image.src = url;
    const entry = { url, image, state: "loading", ready: null };
    entry.ready = image.decode().then(
      () => {
        entry.state = "ready";
        return entry;
      },
      () => {
        entry.state = "failed";
        return entry;
      },
    );
    return entry;
  }

  return {
    /** The picture at `url`: {image, state: "loading" | "ready" | "failed", ready: Promise}. */
    get(url) {
      const entry = cache.get(url) ?? load(url);
      cache.delete(url);
      cache.set(url, entry); // last in, last out
      for (const old of [...cache.keys()].slice(0, -KEPT)) cache.delete(old);
      return entry;
    },
    /** Try a failed one again. */
    retry(url) {
      cache.delete(url);
      return this.get(url);
    },
  };
}
