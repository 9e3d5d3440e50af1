"""What a model as a judge needs: data that stays data, a menu of grades, a panel, and what is known of its kin."""
