"""The eight classes of the hand-drawn emoji paper, in its order."""

CLASSES: tuple[str, ...] = (
    "slightly_smiling_face",
    "smiling_face_with_heart_eyes",
    "neutral_face",
    "angry_face",
    "face_with_tears_of_joy",
    "winking_face",
    "face_with_tongue",
    "frowning_face",
)

# as Table II prints them
TITLES: tuple[str, ...] = (
    "Slightly Smiling Face",
    "Smiling Face with Heart-Eyes",
    "Neutral Face",
    "Angry Face",
    "Face with Tears of Joy",
    "Winking Face",
    "Face with Tongue",
    "Frowning Face",
)
