// What generated people are called, talk in and talk about.
#pragma once
#include <array>
#include <string_view>

namespace sluice::scuttlebutt::vocabulary {

// Frequent words first. Letters beyond ASCII, beyond Latin-1 and beyond the basic plane are there
// on purpose: ids, search and quoting have to get them right.
constexpr auto kWords = std::to_array<std::string_view>({
    "the",       "and",      "a",          "to",          "of",        "in",         "is",
    "it",        "you",      "that",       "we",          "for",       "on",         "with",
    "this",      "are",      "not",        "have",        "my",        "but",        "as",
    "be",        "they",     "at",         "all",         "from",      "one",        "what",
    "there",     "can",      "or",         "so",          "if",        "about",      "when",
    "would",     "just",     "out",        "your",        "like",      "some",       "people",
    "more",      "time",     "how",        "who",         "them",      "now",        "then",
    "up",        "think",    "work",       "make",        "good",      "new",        "here",
    "see",       "know",     "want",       "other",       "only",      "day",        "first",
    "way",       "use",      "thing",      "things",      "still",     "also",       "after",
    "over",      "into",     "very",       "where",       "message",   "boat",       "garden",
    "river",     "harbour",  "island",     "water",       "winter",    "summer",     "morning",
    "evening",   "friend",   "friends",    "house",       "kitchen",   "bread",      "coffee",
    "tea",       "apple",    "forest",     "mountain",    "valley",    "bridge",     "street",
    "city",      "village",  "market",     "music",       "song",      "guitar",     "piano",
    "story",     "book",     "letter",     "paper",       "picture",   "photo",      "camera",
    "light",     "shadow",   "window",     "door",        "table",     "chair",      "road",
    "train",     "bicycle",  "wheel",      "engine",      "solar",     "battery",    "radio",
    "signal",    "network",  "peer",       "protocol",    "server",    "client",     "feed",
    "log",       "index",    "view",       "key",         "lock",      "hash",       "code",
    "bug",       "patch",    "release",    "version",     "test",      "build",      "library",
    "program",   "question", "answer",     "idea",        "plan",      "project",    "team",
    "meeting",   "child",    "mother",     "father",      "sister",    "brother",    "neighbour",
    "teacher",   "doctor",   "farmer",     "sailor",      "baker",     "cloud",      "rain",
    "snow",      "storm",    "wind",       "sun",         "moon",      "star",       "sky",
    "sea",       "wave",     "shore",      "stone",       "sand",      "tree",       "leaf",
    "root",      "branch",   "flower",     "seed",        "grass",     "bird",       "fish",
    "whale",     "hermit",   "crab",       "cat",         "dog",       "horse",      "sheep",
    "goat",      "bee",      "honey",      "salt",        "sugar",     "soup",       "rice",
    "cheese",    "lemon",    "garlic",     "red",         "green",     "blue",       "yellow",
    "white",     "black",    "small",      "large",       "long",      "short",      "old",
    "young",     "warm",     "cold",       "quiet",       "loud",      "slow",       "quick",
    "heavy",     "bright",   "dark",       "early",       "late",      "open",       "closed",
    "free",      "common",   "strange",    "simple",      "hard",      "soft",       "wild",
    "walk",      "run",      "swim",       "sail",        "climb",     "build",      "write",
    "read",      "listen",   "sing",       "dance",       "cook",      "bake",       "plant",
    "grow",      "share",    "learn",      "teach",       "carry",     "mend",       "repair",
    "paint",     "draw",     "travel",     "return",      "remember",  "forget",     "begin",
    "finish",    "wait",     "hope",       "dream",       "believe",   "wonder",     "agree",
    "promise",   "together", "alone",      "tomorrow",    "yesterday", "always",     "never",
    "sometimes", "often",    "maybe",      "almost",      "enough",    "again",      "under",
    "above",     "between",  "behind",     "across",      "through",   "café",       "naïve",
    "señor",     "façade",   "Zürich",     "smörgåsbord", "jalapeño",  "crème",      "über",
    "Łódź",      "čaj",      "Ελλάδα",     "река",        "世界",      "ありがとう", "don't",
    "it's",      "we'll",    "\"sluice\"", "C:\\boat",    "<b>",       "🌊",          "🦀",
    "❤️",
});

constexpr auto kNames = std::to_array<std::string_view>({
    "Ada",    "Bela",      "Chidi",  "Dara",   "Emil",   "Farah",   "Goro",  "Hanna",  "Iris",
    "Jonas",  "Kofi",      "Lena",   "Mateo",  "Nadia",  "Omar",    "Paula", "Quinn",  "Ravi",
    "Søren",  "Tuva",      "Uma",    "Viktor", "Wanda",  "Xiao",    "Yusuf", "Zoë",    "André",
    "Brigid", "Cem",       "Dvořák", "Elif",   "Frida",  "Gustavo", "Hugo",  "Inés",   "Jaakko",
    "Kaya",   "Łukasz",    "Mei",    "Noor",   "Oskar",  "Priya",   "Rosa",  "Sanjay", "Tilda",
    "Ulrik",  "Valentina", "Wim",    "Yara",   "Željko", "Amara",   "Bruno",
});

constexpr auto kChannels = std::to_array<std::string_view>({
    "news",        "gardening", "boats", "solarpunk", "music",    "programming", "bread",
    "photography", "books",     "cats",  "radio",     "bicycles", "new-people",  "philosophy",
    "weather",     "repair",    "maps",  "chess",     "español",  "日本語",
});

constexpr auto kExpressions =
    std::to_array<std::string_view>({"Like", "Yup", "❤️", "dig", "+1", "🌊"});

struct Picture {
    std::string_view type;
    std::string_view ending;
};
constexpr auto kPictures =
    std::to_array<Picture>({{"image/jpeg", ".jpg"}, {"image/png", ".png"}, {"image/gif", ".gif"}});

} // namespace sluice::scuttlebutt::vocabulary
